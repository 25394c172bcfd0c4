"""Clock, named threads, jobs and the event bus: what every part of the core stands on."""
