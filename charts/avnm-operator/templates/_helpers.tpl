{{/* The chart's name, as app.kubernetes.io/name has it. */}}
{{- define "avnm-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the release's objects, and of the Lease. Kept so short that every suffix of ours fits behind it. */}}
{{- define "avnm-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "avnm-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "avnm-operator.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name of objects without a namespace. Releases of one name in two namespaces would meet there. */}}
{{- define "avnm-operator.clusterName" -}}
{{- $fullname := include "avnm-operator.fullname" . }}
{{- if .Values.watchNamespaces }}
{{- printf "%s-%s" (include "avnm-operator.namespace" .) $fullname }}
{{- else }}
{{- $fullname }}
{{- end }}
{{- end }}

{{- define "avnm-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "avnm-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "avnm-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What selects the pods. A Deployment's selector cannot be changed, so nothing of the values but names is in it. */}}
{{- define "avnm-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "avnm-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "avnm-operator.labels" -}}
{{ include "avnm-operator.selectorLabels" . }}
app.kubernetes.io/part-of: avnm-operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The metadata of an object: (list $ NAME LABELS ANNOTATIONS). */}}
{{- define "avnm-operator.metadata" -}}
{{- $root := index . 0 }}
{{- include "avnm-operator.clusterMetadata" . }}
namespace: {{ include "avnm-operator.namespace" $root }}
{{- end }}

{{/* The same without a namespace. What one object says wins over what is common to all. */}}
{{- define "avnm-operator.clusterMetadata" -}}
{{- $root := index . 0 }}
{{- $labels := merge (dict) (index . 2) (include "avnm-operator.labels" $root | fromYaml) }}
{{- $annotations := merge (dict) (index . 3) $root.Values.commonAnnotations -}}
name: {{ index . 1 }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The image, by digest if there is one. */}}
{{- define "avnm-operator.image" -}}
{{- $image := .Values.image }}
{{- $repository := $image.repository }}
{{- with .Values.global.imageRegistry }}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}
{{- end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{/* The audience that Entra wants of a projected token, by cloud. */}}
{{- define "avnm-operator.tokenAudience" -}}
{{- $clouds := dict "AzurePublic" "api://AzureADTokenExchange" "AzureUSGovernment" "api://AzureADTokenExchangeUSGov" "AzureChina" "api://AzureADTokenExchangeChina" }}
{{- default (get $clouds .Values.azure.cloud) .Values.azure.workloadIdentity.audience }}
{{- end }}

{{/* The operator's account, as the subject of a binding. */}}
{{- define "avnm-operator.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "avnm-operator.serviceAccountName" . }}
    namespace: {{ include "avnm-operator.namespace" . }}
{{- end }}

{{/* How a monitor of the Prometheus operator signs in, and whom it believes. A Secret is read in the monitor's namespace. */}}
{{- define "avnm-operator.secureEndpoint" -}}
{{- with .Values.metrics.secure }}
{{- if .enabled }}
scheme: https
{{- with .authorization }}
authorization:
  {{- toYaml . | nindent 2 }}
{{- end }}
tlsConfig:
  {{- if .certSecret }}
  ca:
    secret:
      name: {{ .certSecret }}
      key: ca.crt
  serverName: {{ default (printf "%s-metrics.%s.svc" (include "avnm-operator.fullname" $) (include "avnm-operator.namespace" $)) .serverName }}
  {{- else }}
  insecureSkipVerify: true
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a monitor of the Prometheus operator says of an endpoint. */}}
{{- define "avnm-operator.endpoint" -}}
port: metrics
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
