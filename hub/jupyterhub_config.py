"""The hub: whoever has an account on this machine logs in and works in a process of their own."""

c = get_config()  # noqa: F821

c.JupyterHub.bind_url = "http://:8000"
c.Authenticator.allow_all = True
c.Spawner.default_url = "/lab/tree/custom-gradients/notebooks/00_start_here.ipynb"
c.Spawner.environment = {
    "OMP_NUM_THREADS": "1",  # a class shares the cores
    "COURSE_PROGRESS": lambda spawner: f"/home/{spawner.user.name}/.course_progress.json",
}
# A kernel with both frameworks holds most of a gigabyte: one that rested for an hour is ended.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_connected=True",
]
