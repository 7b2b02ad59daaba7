-- The kinds of avnm.dev are shaped for kstatus: observedGeneration is current once a generation was looked at, and
-- Reconciling and Stalled are there only while they are True, never both. Ready=False alone is no fault: a connection
-- waits for the administrator of another tenant as long as that takes.
local health = {status = "Progressing", message = "Waiting for the operator"}
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
local is = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  is[condition.type] = condition
end
local function is_true(type)
  return is[type] ~= nil and is[type].status == "True"
end
if is["Ready"] ~= nil then
  health.message = is["Ready"].reason .. ": " .. is["Ready"].message
end
if is_true("Suspended") then
  health.status = "Suspended"
elseif is_true("Stalled") then
  health.status = "Degraded"
elseif is_true("Ready") then
  health.status = "Healthy"
end
return health
