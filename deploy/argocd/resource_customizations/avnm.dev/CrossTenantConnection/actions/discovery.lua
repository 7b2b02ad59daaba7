local suspended = obj.spec.suspend == true
-- Before the deletion a confirmation would take the guard away that deletionPolicy Confirm is.
local blocked = obj.metadata.deletionTimestamp ~= nil and obj.spec.deletionPolicy == "Confirm"
local confirmed = (obj.metadata.annotations or {})["avnm.dev/confirm-delete"] ~= nil
return {
  ["reconcile"] = {["disabled"] = suspended, ["displayName"] = "Read Azure now", ["iconClass"] = "fa fa-fw fa-sync"},
  ["suspend"] = {["disabled"] = suspended, ["displayName"] = "Suspend", ["iconClass"] = "fa fa-fw fa-pause"},
  ["resume"] = {["disabled"] = not suspended, ["displayName"] = "Resume", ["iconClass"] = "fa fa-fw fa-play"},
  ["confirm-deletion"] = {
    ["disabled"] = not blocked or confirmed,
    ["displayName"] = "Confirm deletion in Azure",
    ["iconClass"] = "fa fa-fw fa-trash"
  },
}
