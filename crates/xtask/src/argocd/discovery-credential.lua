return {
  ["reconcile"] = {["displayName"] = "Sign in now", ["iconClass"] = "fa fa-fw fa-sync"},
}
