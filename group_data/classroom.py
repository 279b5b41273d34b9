"""A class: many small servers, started at once, entered from a university's LMS, their files in a volume a user."""

login = ["lti13"]  # with lti13_issuer and its like; or ["native"]: people sign up here
spawner = "docker"
homes = "volume"
engine = "single"

server_mem_limit = "1G"
server_cpu_limit = 1
server_pids_limit = 512
cull_timeout = 86400  # a room of thirty leaves at noon
cull_kernel_timeout = 86400
