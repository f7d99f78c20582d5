"""Families of tasks that differ in one number, of pendulums and MuJoCo robots; and the Fetch tasks."""
