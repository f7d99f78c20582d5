"""What steps environments: engines, one row an environment, worker processes, and T x N rows as one."""
