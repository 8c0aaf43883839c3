{{/* Labels that say which pods are meant; never changed, as selectors cannot be. Called with (list root component). */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- define "sluice.metadata" -}}
name: {{ (index . 0).Release.Name }}-{{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "sluice.labels" . | nindent 2 }}
{{- end }}

{{- define "sluice.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Called with (list root user), of a pod. */}}
{{- define "sluice.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with (index . 0).Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 1 }}
  runAsGroup: {{ index . 1 }}
  fsGroup: {{ index . 1 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "sluice.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Pods of one component are spread over machines, as far as there are any. Called with (list root component). */}}
{{- define "sluice.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "sluice.selector" . | nindent 8 }}
{{- end }}

{{/* The last number of an address, or what its scheme says. */}}
{{- define "sluice.port" -}}
{{- $found := regexFind ":[0-9]+/?$" . | trimPrefix ":" | trimSuffix "/" -}}
{{- $found | default (ternary "443" "80" (hasPrefix "https:" .)) -}}
{{- end }}

{{/* The servers outside by name: ports, and peers of a network policy. */}}
{{- define "sluice.servers" }}
kafka:
  ports:
    {{- $ports := list }}
    {{- range splitList "," .Values.kafka.bootstrapServers }}
    {{- $ports = append $ports (include "sluice.port" .) }}
    {{- end }}
    {{- range uniq $ports }}
    - {{ . }}
    {{- end }}
  peers: {{ toJson .Values.kafka.peers }}
elasticsearch: {ports: [{{ include "sluice.port" .Values.elasticsearch.url }}], peers: {{ toJson .Values.elasticsearch.peers }}}
postgres: {ports: [{{ .Values.postgres.port }}], peers: {{ toJson .Values.postgres.peers }}}
redis: {ports: [{{ .Values.redis.port }}], peers: {{ toJson .Values.redis.peers }}}
outside: {{ toJson .Values.outside }}
{{- if and .Values.lake.enabled (hasPrefix "s3:" .Values.lake.url) }}
{{- $ports := list }}
{{- range .Values.lake.s3.ports }}
{{- $ports = append $ports (int .) }}
{{- end }}
{{- with .Values.lake.s3.endpoint }}
{{- $ports = append $ports (include "sluice.port" . | int) }}
{{- end }}
storage: {ports: {{ uniq $ports | toJson }}, peers: {{ toJson .Values.lake.s3.peers }}}
{{- end }}
{{- if and .Values.lake.enabled .Values.lake.lineage.url }}
{{- $host := regexFind "^https?://[^/]+" .Values.lake.lineage.url }}
lineage: {ports: [{{ include "sluice.port" $host }}], peers: {{ toJson .Values.lake.lineage.peers }}}
{{- end }}
{{- if .Values.tracing.endpoint }}
tracing: {ports: [{{ include "sluice.port" .Values.tracing.endpoint }}], peers: {{ toJson .Values.tracing.peers }}}
{{- end }}
{{- end }}
