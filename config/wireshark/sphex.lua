-- Wireshark and tshark show capsules: UDP to or, on the way back, from port 3322. The layout is that of
-- lib/capsule/capsule.h.
--
--   tshark -X lua_script:sphex.lua -r FILE        or put the file into the personal Lua plugins folder
--   display filters: sphex, sphex.flags.fault == 1, sphex.fault == 9, sphex.esp.opcode == 3, sphex.malformed

local sphex = Proto("sphex", "Sphex capsule")

local PORT, HEADER, SCRATCH_WORDS = 3322, 16, 32
local CARRIED, NAMED, ESP = 0, 1, 2

local kinds = {[CARRIED] = "carried", [NAMED] = "named", [ESP] = "ESP"}
local opcodes = {"COUNT", "COMPARE", "COLLECT", "RCHLD", "RCOLLECT"}
local comparisons = {"lt", "le", "gt", "ge", "eq", "ne"}
local combinations = {"sum", "min", "max", "and", "or"}
local operators = {[2] = comparisons, [3] = combinations, [5] = combinations}
local operands = {{"C", "T"}, {"V", "val"}, {"C", "V", "val"}, {"B", "id"}, {"B", "D", "V", "id", "val"}}
local faults = {
  [1] = "no program, or one that is not valid",
  [2] = "an access or an operand lies outside of the scratchpad, or an id is too large",
  [3] = "the state store has no room for a new entry",
  [4] = "creating or writing a protected entry needs operator rights",
  [5] = "no invitation, no such way, or not allowed here",
  [7] = "more than the quota of the port it came in by",
  [9] = "one key mapped twice",
}

local f = sphex.fields
f.version = ProtoField.uint8("sphex.version", "Version", base.DEC, nil, 0xf0)
f.kind = ProtoField.uint8("sphex.kind", "Kind", base.DEC, kinds, 0x0f)
f.flags = ProtoField.uint8("sphex.flags", "Flags", base.HEX)
f.ingress = ProtoField.bool("sphex.flags.ingress", "Run at ingress", 8, nil, 0x80)
f.egress = ProtoField.bool("sphex.flags.egress", "Run at egress", 8, nil, 0x40)
f.returned = ProtoField.bool("sphex.flags.returned", "Returned", 8, nil, 0x20)
f.stopped = ProtoField.bool("sphex.flags.fault", "Fault", 8, nil, 0x10)
f.unknown = ProtoField.bool("sphex.flags.unknown", "Code unknown", 8, nil, 0x08)
f.operator_rights = ProtoField.bool("sphex.flags.operator", "Operator rights", 8, nil, 0x04)
f.local_keys = ProtoField.bool("sphex.flags.local", "Local keys", 8, nil, 0x02)
f.no_flag = ProtoField.bool("sphex.flags.zero", "Zero", 8, nil, 0x01)
f.length = ProtoField.uint16("sphex.length", "Length", base.DEC)
f.code_words = ProtoField.uint8("sphex.code_words", "Instructions", base.DEC)
f.scratch_words = ProtoField.uint8("sphex.scratch_words", "Scratchpad words", base.DEC)
f.zero = ProtoField.bytes("sphex.zero", "Zero")
f.fault = ProtoField.uint8("sphex.fault", "Fault code", base.DEC)
f.id = ProtoField.uint64("sphex.id", "Computation id", base.HEX)
f.instruction = ProtoField.uint32("sphex.instruction", "Instruction", base.HEX)
f.name = ProtoField.bytes("sphex.name", "Code name")
f.home = ProtoField.ipv6("sphex.home", "Home address")
f.home_port = ProtoField.uint16("sphex.home_port", "Home port", base.DEC)
f.opcode = ProtoField.uint8("sphex.esp.opcode", "Opcode", base.DEC)
f.operator = ProtoField.uint8("sphex.esp.operator", "Operator", base.DEC)
f.word = ProtoField.uint64("sphex.word", "Word", base.DEC)

local malformed = ProtoExpert.new("sphex.malformed", "Malformed capsule", expert.group.MALFORMED, expert.severity.ERROR)
local fault_flag = ProtoExpert.new("sphex.faulted", "Stopped by a fault", expert.group.RESPONSE_CODE, expert.severity.WARN)
sphex.experts = {malformed, fault_flag}

local function all_zero(range)
  return not range:bytes():tohex():find("[^0]")
end

local function code_part(kind, words)
  if kind == CARRIED then return math.floor((words + 1) / 2) * 8 end
  return kind == NAMED and 56 or 8
end

-- Name and text of what is wrong with the header, or nil: the checks of lib/capsule/read.c, in their order.
local function check_header(b, reported)
  local kind, words, scratch = b(0, 1):bitfield(4, 4), b(4, 1):uint(), b(5, 1):uint()
  local length = b(2, 2):uint()
  if b(0, 1):bitfield(0, 4) ~= 1 then return "malformed_version", "the version is not 1" end
  if kinds[kind] == nil then return "malformed_kind", "the kind is none of carried, named, ESP" end
  if b(1, 1):bitfield(7, 1) ~= 0 then return "malformed_flag", "flag 0x01 is set" end
  if b(6, 1):uint() ~= 0 then return "malformed_zero", "a field that must be zero is not" end
  if kind ~= CARRIED and words ~= 0 then
    return "malformed_code_words", "only a carried program has instructions"
  end
  if scratch > SCRATCH_WORDS then return "malformed_scratchpad", "the scratchpad has more than 32 words" end
  if length ~= HEADER + code_part(kind, words) + scratch * 8 then
    return "malformed_length", "the length is not that of header, code part and scratchpad"
  end
  if length > reported then return "malformed_overrun", "the capsule is longer than the UDP payload" end
end

-- The same of the code part.
local function check_code(b, kind, words)
  if kind == CARRIED and words % 2 == 1 and not all_zero(b(HEADER + words * 4, 4)) then
    return "malformed_padding", "the padding behind the instructions is not zero"
  end
  if (kind == NAMED and not all_zero(b(HEADER + 50, 6))) or (kind == ESP and not all_zero(b(HEADER + 2, 6))) then
    return "malformed_zero", "a field that must be zero is not"
  end
end

local function complain(tree, name, text)
  tree:add_proto_expert_info(malformed, name .. ": " .. text)
end

local function fault_text(code)
  return code >= 16 and "the program's own" or faults[code] or "unknown"
end

local function add_header(tree, b)
  tree:add(f.version, b(0, 1))
  tree:add(f.kind, b(0, 1))
  local flags = tree:add(f.flags, b(1, 1))
  for _, flag in ipairs({f.ingress, f.egress, f.returned, f.stopped, f.unknown, f.operator_rights, f.local_keys, f.no_flag}) do
    flags:add(flag, b(1, 1))
  end
  tree:add(f.length, b(2, 2))
  tree:add(f.code_words, b(4, 1))
  tree:add(f.scratch_words, b(5, 1))
  tree:add(f.zero, b(6, 1))
  local fault = tree:add(f.fault, b(7, 1))
  if b(1, 1):bitfield(3, 1) == 1 then
    local text = fault_text(b(7, 1):uint())
    fault:append_text(" (" .. text .. ")")
    tree:add_proto_expert_info(fault_flag, "fault " .. b(7, 1):uint() .. ": " .. text)
  end
  tree:add(f.id, b(8, 8))
end

-- Returns what the summary says of the code.
local function add_esp(tree, b)
  local opcode, op = b(HEADER, 1):uint(), b(HEADER + 1, 1):uint()
  local name = opcodes[opcode] or "unknown"
  tree:add(f.opcode, b(HEADER, 1)):append_text(" (" .. name .. ")")
  local operator = operators[opcode] and operators[opcode][op]
  tree:add(f.operator, b(HEADER + 1, 1)):append_text(" (" .. (operator or (op == 0 and "none" or "unknown")) .. ")")
  tree:add(f.zero, b(HEADER + 2, 6))
  return name .. (operator and " " .. operator or "")
end

local function add_code(tree, b, kind, words)
  if kind == ESP then return add_esp(tree, b) end
  if kind == NAMED then
    tree:add(f.name, b(HEADER, 32))
    tree:add(f.home, b(HEADER + 32, 16))
    tree:add(f.home_port, b(HEADER + 48, 2))
    tree:add(f.zero, b(HEADER + 50, 6))
    return b(HEADER, 4):bytes():tohex(true) .. "..."
  end
  for i = 0, words - 1 do
    tree:add(f.instruction, b(HEADER + i * 4, 4)):prepend_text(i .. ": ")
  end
  return words .. " instructions"
end

local function add_scratch(tree, b, at, words, opcode)
  for i = 0, words - 1 do
    local item = tree:add(f.word, b(at + i * 8, 8))
    local name = opcode and operands[opcode] and operands[opcode][i + 1]
    item:prepend_text(i .. (name and " (" .. name .. ")" or "") .. ": ")
  end
end

local function summary(b, kind, code)
  local text = "Capsule, " .. kinds[kind] .. " " .. code
  for i, name in ipairs({"ingress", "egress", "returned", "fault", "unknown", "operator", "local"}) do
    if b(1, 1):bitfield(i - 1, 1) == 1 then text = text .. ", " .. name end
  end
  if b(1, 1):bitfield(3, 1) == 1 then text = text .. " " .. b(7, 1):uint() end
  return text
end

function sphex.dissector(b, pinfo, tree)
  pinfo.cols.protocol = "SPHEX"
  local root = tree:add(sphex, b())
  if b:reported_len() < HEADER then
    complain(root, "malformed_truncated", "the UDP payload is shorter than a capsule header")
    return
  end
  add_header(root, b)
  local kind, words, scratch = b(0, 1):bitfield(4, 4), b(4, 1):uint(), b(5, 1):uint()
  local name, text = check_header(b, b:reported_len())
  if name == nil then name, text = check_code(b, kind, words) end
  if name ~= nil then
    complain(root, name, text)
    pinfo.cols.info = "Malformed capsule: " .. text
    return
  end
  local length = b(2, 2):uint()
  root:set_len(length)
  local code = add_code(root, b, kind, words)
  add_scratch(root, b, length - scratch * 8, scratch, kind == ESP and b(HEADER, 1):uint() or nil)
  pinfo.cols.info = summary(b, kind, code)
  if b:len() > length then
    Dissector.get("data"):call(b(length):tvb(), pinfo, tree)
  end
end

DissectorTable.get("udp.port"):add(PORT, sphex)
