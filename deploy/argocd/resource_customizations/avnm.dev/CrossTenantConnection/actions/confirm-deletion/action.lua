if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["avnm.dev/confirm-delete"] = "by-argo-cd"
return obj
