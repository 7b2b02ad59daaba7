{{/* The operator's settings, by the variable that its flags name. What is empty, or the program's default, is left out:
     whoever patches deploy/ can add a variable then, and none is there twice. */}}
{{- define "avnm-operator.settings" -}}
{{- $settings := dict
  "AVNM_CLOUD" .Values.azure.cloud
  "AVNM_API_VERSION" .Values.azure.apiVersion
  "AVNM_ARM_ENDPOINT" .Values.azure.endpoints.arm
  "AVNM_AUTHORITY_HOST" .Values.azure.endpoints.authority
  "AVNM_AUDIENCE" .Values.azure.endpoints.audience
  "AVNM_METADATA_ENDPOINT" .Values.azure.endpoints.metadata
  "AVNM_LOG_LEVEL" .Values.logging.level
  "AVNM_LOG_FORMAT" .Values.logging.format
  "AVNM_HEALTH_ADDR" (printf "%s:%d" .Values.listenAddress (int .Values.health.port))
  "AVNM_METRICS_ADDR" (printf "%s:%d" .Values.listenAddress (int .Values.metrics.port))
  "AVNM_LEASE_NAME" (include "avnm-operator.fullname" .)
  "AVNM_LEASE_DURATION" .Values.leaderElection.leaseDuration
  "AVNM_RENEW_DEADLINE" .Values.leaderElection.renewDeadline
  "AVNM_LEASE_RETRY" .Values.leaderElection.retryPeriod
  "AVNM_METRICS_SECURE" (ternary "true" "" .Values.metrics.secure.enabled)
  "OTEL_EXPORTER_OTLP_ENDPOINT" .Values.telemetry.otlp.endpoint
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" .Values.telemetry.otlp.tracesEndpoint
  "OTEL_SERVICE_NAME" .Values.telemetry.otlp.serviceName
  "HTTPS_PROXY" (ternary "" .Values.proxy.https (ne .Values.proxy.secret.name ""))
  "NO_PROXY" .Values.proxy.noProxy
}}
{{- range $key, $value := .Values.config }}
{{- $_ := set $settings (printf "AVNM_%s" (snakecase $key | upper)) $value }}
{{- end }}
{{- if or .Values.ca.configMap .Values.ca.secret }}
{{- $_ := set $settings "AVNM_CA_FILE" (printf "/etc/avnm/ca/%s" .Values.ca.key) }}
{{- end }}
{{- if and .Values.metrics.secure.enabled .Values.metrics.secure.certSecret }}
{{- $_ := set $settings "AVNM_METRICS_CERT_FILE" "/etc/avnm/metrics/tls.crt" }}
{{- $_ := set $settings "AVNM_METRICS_KEY_FILE" "/etc/avnm/metrics/tls.key" }}
{{- end }}
{{- if eq .Values.azure.workloadIdentity.mode "projected" }}
{{- $_ := set $settings "AZURE_FEDERATED_TOKEN_FILE" "/var/run/secrets/azure/tokens/azure-identity-token" }}
{{- end }}
{{- $defaults := dict
  "AVNM_CLOUD" "AzurePublic"
  "AVNM_LOG_LEVEL" "info"
  "AVNM_LOG_FORMAT" "json"
  "AVNM_HEALTH_ADDR" "0.0.0.0:8081"
  "AVNM_METRICS_ADDR" "0.0.0.0:8080"
  "AVNM_LEASE_NAME" "avnm-operator"
}}
{{- range $name, $value := $settings }}
{{- if not (or (eq (toString $value) "") (eq (toString $value) (get $defaults $name))) }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The arguments of the operator. */}}
{{- define "avnm-operator.args" -}}
{{- with .Values.watchNamespaces }}
- {{ printf "--watch-namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.objectSelector }}
- {{ printf "--object-selector=%s" . | quote }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- define "avnm-operator.volumes" -}}
{{- if .Values.ca.secret }}
- name: ca
  secret:
    secretName: {{ .Values.ca.secret }}
    items: [{key: {{ .Values.ca.key | quote }}, path: {{ .Values.ca.key | quote }}}]
{{- else if .Values.ca.configMap }}
- name: ca
  configMap:
    name: {{ .Values.ca.configMap }}
    items: [{key: {{ .Values.ca.key | quote }}, path: {{ .Values.ca.key | quote }}}]
{{- end }}
{{- if eq .Values.azure.workloadIdentity.mode "projected" }}
- name: azure-identity-token
  projected:
    sources:
      - serviceAccountToken:
          audience: {{ include "avnm-operator.tokenAudience" . }}
          expirationSeconds: {{ int .Values.azure.workloadIdentity.expirationSeconds }}
          path: azure-identity-token
{{- end }}
{{- if and .Values.metrics.secure.enabled .Values.metrics.secure.certSecret }}
- name: metrics-tls
  secret:
    secretName: {{ .Values.metrics.secure.certSecret }}
    items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "avnm-operator.volumeMounts" -}}
{{- if or .Values.ca.secret .Values.ca.configMap }}
- name: ca
  mountPath: /etc/avnm/ca
  readOnly: true
{{- end }}
{{- if eq .Values.azure.workloadIdentity.mode "projected" }}
- name: azure-identity-token
  mountPath: /var/run/secrets/azure/tokens
  readOnly: true
{{- end }}
{{- if and .Values.metrics.secure.enabled .Values.metrics.secure.certSecret }}
- name: metrics-tls
  mountPath: /etc/avnm/metrics
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
