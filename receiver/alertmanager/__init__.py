"""What Alertmanager's API v2 lets one read and change, besides taking alerts in: for `amtool` and its like.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. Only for operators: a source's token posts
alerts and does nothing else.
"""
