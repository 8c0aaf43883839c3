{{/*
The components, as data that every template goes through: the command, the port of HTTP or of metrics, the environment,
the secret, which of the others and of the servers it reaches (from which the network policies are made on both ends),
and its part of the values.
*/}}
{{- define "sluice.components" }}
{{- $gateway := merge (include "sluice.environment.kafka" . | fromYaml) (include "sluice.environment.tracing" . | fromYaml) (include "sluice.environment.gateway" . | fromYaml) }}
{{- $query := merge (include "sluice.environment.query" . | fromYaml) (include "sluice.environment.elasticsearch" . | fromYaml) $gateway }}
{{- $consumer := merge (include "sluice.environment.kafka" . | fromYaml) (include "sluice.environment.elasticsearch" . | fromYaml) (include "sluice.environment.tracing" . | fromYaml) }}
command-gateway:
  values: {{ toJson .Values.commandGateway }}
  job: gateway
  side: command
  arguments: [gateway]
  port: 8000
  spool: true
  results: true
  reaches: [kafka, postgres, redis, outside, tracing]
  environment: {{ merge (include "sluice.environment.command" . | fromYaml) $gateway | toJson }}
query-gateway:
  values: {{ toJson .Values.queryGateway }}
  job: gateway
  side: query
  arguments: [gateway]
  port: 8000
  spool: true
  reaches: [kafka, elasticsearch, postgres, redis, translator, tracing]
  environment: {{ toJson $query }}
translator:
  values: {{ toJson .Values.translator }}
  job: translator
  arguments: [translator, serve]
  port: 8001
  reaches: [elasticsearch, tracing]
  environment:
    {{- merge (include "sluice.environment.elasticsearch" . | fromYaml) (include "sluice.environment.tracing" . | fromYaml) | toYaml | nindent 4 }}
    ELASTICSEARCH_USERNAME: sluice-translator
    TRANSLATOR_HOST: 0.0.0.0
    TRANSLATOR_PORT: "8001"
    TRANSLATOR_LOG_FORMAT: ecs
worker:
  values: {{ toJson .Values.worker }}
  job: worker
  arguments: [gateway, worker]
  port: 9110
  reaches: [kafka, elasticsearch, postgres, redis, translator, outside, tracing]
  environment:
    {{- toYaml $consumer | nindent 4 }}
    KAFKA_SASL_USERNAME: worker
    ELASTICSEARCH_USERNAME: sluice-worker
    GATEWAY_DATABASE_URL_FILE: /run/secrets/database-url
    GATEWAY_TRANSLATOR_URL: http://{{ .Release.Name }}-translator:8001
    GATEWAY_SECRET_KEY_FILE: /run/secrets/secret-key
    GATEWAY_PUBLIC_URL: https://{{ .Values.host }}
    GATEWAY_MAIL_URL_FILE: /run/secrets/mail-url
    GATEWAY_MAIL_FROM: {{ .Values.commandGateway.mailFrom | quote }}
    GATEWAY_REDIS_URL_FILE: /run/secrets/redis-url
    GATEWAY_WORKER_METRICS_HOST: 0.0.0.0
    GATEWAY_WORKER_METRICS_PORT: "9110"
    GATEWAY_LOG_FORMAT: ecs
live:
  values: {{ toJson .Values.live }}
  job: live
  arguments: [gateway, live]
  port: 9111
  served: 8003
  spool: true
  reaches: [kafka, postgres, tracing]
  environment:
    {{- merge (include "sluice.environment.kafka" . | fromYaml) (include "sluice.environment.tracing" . | fromYaml) | toYaml | nindent 4 }}
    KAFKA_SASL_USERNAME: live
    GATEWAY_LIVE_HOST: 0.0.0.0
    GATEWAY_LIVE_PORT: "8003"
    GATEWAY_LIVE_METRICS_HOST: 0.0.0.0
    GATEWAY_LIVE_METRICS_PORT: "9111"
    GATEWAY_ALLOWED_HOSTS: {{ .Values.host | quote }}
    GATEWAY_TRUSTED_PROXIES: {{ join "," .Values.podNetworks | quote }}
    GATEWAY_PUBLIC_URL: https://{{ .Values.host }}
    GATEWAY_DATABASE_URL_FILE: /run/secrets/database-url
    GATEWAY_JWT_KEYS_FILE: /run/secrets/verifying-keys.pem
    GATEWAY_JWE_KEYS_FILE: /run/secrets/jwe-keys
    GATEWAY_PROVIDERS_FILE: /run/secrets/providers.json
    GATEWAY_SPOOL_DIR: /var/lib/sluice/spool
    GATEWAY_LOG_FORMAT: ecs
audit-sink:
  values: {{ toJson .Values.auditSink }}
  job: audit-sink
  arguments: [audit_sink]
  port: 9108
  topic: {name: query-events, group: audit-sink, partitions: {{ .Values.kafka.partitions.queryEvents }}}
  reaches: [kafka, elasticsearch, tracing]
  environment:
    {{- toYaml $consumer | nindent 4 }}
    KAFKA_SASL_USERNAME: audit-sink
    ELASTICSEARCH_USERNAME: sluice-audit-sink
    AUDIT_SINK_METRICS_HOST: 0.0.0.0
    AUDIT_SINK_METRICS_PORT: "9108"
    AUDIT_SINK_LOG_FORMAT: ecs
inventory-index:
  values: {{ toJson .Values.inventoryIndex }}
  job: inventory-index
  arguments: [inventory_index]
  port: 9109
  topic: {name: inventory-changes, group: inventory-index, partitions: {{ .Values.kafka.partitions.inventoryChanges }}}
  reaches: [kafka, elasticsearch, tracing]
  environment:
    {{- toYaml $consumer | nindent 4 }}
    KAFKA_SASL_USERNAME: inventory-index
    ELASTICSEARCH_USERNAME: sluice-inventory-index
    INVENTORY_INDEX_METRICS_HOST: 0.0.0.0
    INVENTORY_INDEX_METRICS_PORT: "9109"
    INVENTORY_INDEX_LOG_FORMAT: ecs
{{- if .Values.lake.enabled }}
lake:
  values: {{ toJson .Values.lake }}
  job: lake
  arguments: [lake, serve]
  port: 9112
  topic: {name: query-events, group: lake, partitions: {{ .Values.kafka.partitions.queryEvents }}}
  reaches: [kafka, elasticsearch, storage, lineage]
  environment:
    {{- merge (include "sluice.environment.kafka" . | fromYaml) (include "sluice.environment.elasticsearch" . | fromYaml) | toYaml | nindent 4 }}
    KAFKA_SASL_USERNAME: lake
    ELASTICSEARCH_USERNAME: sluice-lake
    LAKE_URL: {{ .Values.lake.url | quote }}
    LAKE_USER_KEY_FILE: /run/secrets/user-key
    {{- with .Values.lake.lineage.url }}
    LAKE_LINEAGE_URL: {{ . | quote }}
    {{- end }}
    {{- with .Values.lake.s3 }}
    LAKE_S3_REGION: {{ .region | quote }}
    {{- if .endpoint }}
    LAKE_S3_ENDPOINT: {{ .endpoint }}
    {{- end }}
    {{- if .accessKeyId }}
    LAKE_S3_ACCESS_KEY_ID: {{ .accessKeyId | quote }}
    LAKE_S3_SECRET_ACCESS_KEY_FILE: /run/secrets/s3-secret-access-key
    {{- end }}
    {{- end }}
    LAKE_ASSET_INDEX: devices
    LAKE_METRICS_HOST: 0.0.0.0
    LAKE_METRICS_PORT: "9112"
    LAKE_LOG_FORMAT: ecs
{{- end }}
{{- end }}

{{- define "sluice.environment.kafka" }}
KAFKA_BOOTSTRAP_SERVERS: {{ .Values.kafka.bootstrapServers | quote }}
KAFKA_SECURITY_PROTOCOL: SASL_SSL
KAFKA_SASL_MECHANISM: {{ .Values.kafka.saslMechanism }}
KAFKA_SSL_CA: /run/secrets/ca.crt
KAFKA_SASL_PASSWORD_FILE: /run/secrets/kafka-password
{{- end }}

{{- define "sluice.environment.elasticsearch" }}
ELASTICSEARCH_URL: {{ .Values.elasticsearch.url | quote }}
ELASTICSEARCH_CA_CERTS: /run/secrets/ca.crt
ELASTICSEARCH_PASSWORD_FILE: /run/secrets/elasticsearch-password
{{- end }}

{{- define "sluice.environment.tracing" }}
{{- with .Values.tracing }}
OTEL_TRACES_EXPORTER: {{ if .endpoint }}otlp{{ else }}none{{ end }}
{{- if .endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint }}
OTEL_TRACES_SAMPLER: {{ .sampler }}
OTEL_TRACES_SAMPLER_ARG: {{ .ratio | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of both sides. */}}
{{- define "sluice.environment.gateway" }}
KAFKA_SASL_USERNAME: gateway
GATEWAY_HOST: 0.0.0.0
GATEWAY_PORT: "8000"
GATEWAY_ALLOWED_HOSTS: {{ .Values.host | quote }}
GATEWAY_TRUSTED_PROXIES: {{ join "," .Values.podNetworks | quote }}
GATEWAY_PUBLIC_URL: https://{{ .Values.host }}
GATEWAY_DATABASE_URL_FILE: /run/secrets/database-url
GATEWAY_REDIS_URL_FILE: /run/secrets/redis-url
GATEWAY_SECRET_KEY_FILE: /run/secrets/secret-key
GATEWAY_JWE_KEYS_FILE: /run/secrets/jwe-keys
GATEWAY_PROVIDERS_FILE: /run/secrets/providers.json
GATEWAY_SPOOL_DIR: /var/lib/sluice/spool
GATEWAY_UNSIGNED_TOKENS: "false"
GATEWAY_LOG_FORMAT: ecs
{{- end }}

{{- define "sluice.environment.command" }}
GATEWAY_ROLE: command
GATEWAY_WORKERS: {{ .Values.commandGateway.workers | quote }}
GATEWAY_JWT_KEYS_FILE: /run/secrets/signing-key.pem
GATEWAY_MAIL_URL_FILE: /run/secrets/mail-url
GATEWAY_MAIL_FROM: {{ .Values.commandGateway.mailFrom | quote }}
{{- end }}

{{/* Keys that verify tokens and sign none. */}}
{{- define "sluice.environment.query" }}
GATEWAY_ROLE: query
GATEWAY_WORKERS: {{ .Values.queryGateway.workers | quote }}
ELASTICSEARCH_USERNAME: sluice-gateway
GATEWAY_TRANSLATOR_URL: http://{{ .Release.Name }}-translator:8001
GATEWAY_JWT_KEYS_FILE: /run/secrets/verifying-keys.pem
{{- end }}
