"""NeuroDesktop for everyone whom an admin approves: a desktop with neuroimaging tools in the browser."""

login = ["native"]
spawner = "docker"
homes = "directory"
engine = "single"

server_image = "vnmd/neurodesktop:2026-08-14"  # several GB; the deploy pulls it before anyone needs it
server_profile = "desktop"  # Apptainer inside the container, CVMFS over FUSE
server_devices = ["/dev/fuse"]
server_mem_limit = "8G"
server_cpu_limit = 4
server_shm_size = "2G"
server_start_timeout = 300
server_environment = {
    "GRANT_SUDO": "no",  # the image's own default gives every user root in the container
    "NEURODESKTOP_CVMFS_STARTUP_MODE": "lazy",
}
