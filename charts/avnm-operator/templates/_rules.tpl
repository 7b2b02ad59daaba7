{{/* What the operator does with the kinds that live in namespaces: in all of them, or in each that it watches. */}}
{{- define "avnm-operator.namespacedRules" -}}
- apiGroups: [avnm.dev]
  resources: [crosstenantconnections, staticmembers, tenantcredentials]
  # patch is for finalizers; RBAC cannot be narrower than the object. The operator never writes spec.
  verbs: [get, list, watch, patch]
- apiGroups: [avnm.dev]
  resources: [crosstenantconnections/status, staticmembers/status, tenantcredentials/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What it does beyond namespaces. */}}
{{- define "avnm-operator.clusterRules" -}}
- apiGroups: [avnm.dev]
  resources: [clustertenantcredentials]
  verbs: [get, list, watch, patch]
- apiGroups: [avnm.dev]
  resources: [clustertenantcredentials/status]
  verbs: [patch]
# Metadata only: labels of namespaces decide which of them a ClusterTenantCredential is lent to. One is read live
# before something new is made with a credential that a label lends.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [crosstenantconnections.avnm.dev, staticmembers.avnm.dev]
  verbs: [get]
{{- end }}
