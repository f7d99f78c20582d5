"""Encoders: what turns an observation, and what is known of its task, into features."""

from agents.encoders.encoder import Encoder, EncoderShape, MakeEncoder

__all__ = ["Encoder", "EncoderShape", "MakeEncoder"]
