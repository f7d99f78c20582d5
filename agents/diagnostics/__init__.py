"""Why sharing helps or hurts: interference, capacity, routing and overestimation, measured on an agent."""
