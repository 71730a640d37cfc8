{{/*
Names are the same in every release: a cluster has one operator and one stop, and a second release
then fails on what the first one owns.
*/}}
{{- define "andon.name" -}}andon-operator{{- end }}

{{- define "andon.selector" -}}
app.kubernetes.io/name: andon
app.kubernetes.io/component: operator
{{- end }}

{{- define "andon.labels" -}}
app.kubernetes.io/name: andon
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: andon
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "andon.operatorLabels" -}}
{{ include "andon.labels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "andon.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* Kinds that not every API server of a version we take serves, and this one doesn't: a JSON array. */}}
{{- define "andon.unserved" -}}
{{- $unserved := list -}}
{{- range $kind := list "MutatingAdmissionPolicy" "MutatingAdmissionPolicyBinding" -}}
{{- $served := printf "admissionregistration.k8s.io/v1/%s" $kind -}}
{{- if not ($.Capabilities.APIVersions.Has $served) -}}
{{- $unserved = append $unserved $served -}}
{{- end -}}
{{- end -}}
{{ $unserved | toJson }}
{{- end }}
