"""Simulation: the same fold with a simulated clock. Policies are tried here before they ring a real phone."""

from routing.simulation.simulation import Script, Simulation

__all__ = ["Script", "Simulation"]
