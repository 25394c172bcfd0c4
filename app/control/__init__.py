"""The local control socket: the process that holds a profile serves everybody else's commands."""
