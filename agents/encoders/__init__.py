"""Encoders, which turn an observation and its task's context into features."""

from agents.encoders.encoder import Encoder, EncoderShape, MakeEncoder

__all__ = ["Encoder", "EncoderShape", "MakeEncoder"]
