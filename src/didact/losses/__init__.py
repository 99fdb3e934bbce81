"""Floor 1: the losses. Pure functions, one file per paper; the names below are the public list."""

from didact._core.optional import expect

expect("torch", "numpy", "jaxtyping")

from didact.losses.features.ab import ab
from didact.losses.features.attention_transfer import attention_transfer
from didact.losses.features.cc import cc
from didact.losses.features.crd import CRD
from didact.losses.features.crd_in_batch import InBatchCRD
from didact.losses.features.cwd import cwd
from didact.losses.features.fsp import fsp
from didact.losses.features.ft import FT
from didact.losses.features.hint import hint
from didact.losses.features.ickd import ickd
from didact.losses.features.mgd import MGD
from didact.losses.features.nst import nst
from didact.losses.features.ofd import ofd
from didact.losses.features.pkt import pkt
from didact.losses.features.reviewkd import ReviewKD
from didact.losses.features.rkd import rkd, rkd_angle, rkd_distance
from didact.losses.features.semckd import SemCKD
from didact.losses.features.similarity_preserving import similarity_preserving
from didact.losses.features.simkd import SimKD
from didact.losses.features.token_maps import token_maps
from didact.losses.features.vid import VID
from didact.losses.incremental.afc import afc
from didact.losses.incremental.binary_distillation import binary_distillation
from didact.losses.incremental.eeil import eeil
from didact.losses.incremental.lucir import lucir_less_forget, lucir_margin
from didact.losses.incremental.lwf import lwf
from didact.losses.incremental.podnet import podnet_flat, podnet_spatial
from didact.losses.incremental.podnet_nca import podnet_nca
from didact.losses.kit.registry import CARDS, Card
from didact.losses.logits.binary_kd import binary_kd
from didact.losses.logits.cross_entropy_and_kd import cross_entropy_and_kd
from didact.losses.logits.curriculum import CurriculumKD
from didact.losses.logits.dist import dist
from didact.losses.logits.divergences import forward_kl, reverse_kl, symmetric_kl, total_variation
from didact.losses.logits.dkd import dkd
from didact.losses.logits.hard_kd import cross_entropy_and_hard_kd, hard_kd
from didact.losses.logits.jsd import generalised_jsd
from didact.losses.logits.kd import kd
from didact.losses.logits.mlkd import mlkd
from didact.losses.logits.mse_logits import mse_logits
from didact.losses.logits.skew import skew_kl, skew_reverse_kl
from didact.losses.logits.standardise import standardise_logits, standardised, standardised_kd
from didact.losses.teachers.ca_mkd import kd_confidence_weighted
from didact.losses.teachers.combined import kd_geometric_mean, kd_mean_probs, kd_weighted_sum
from didact.losses.teachers.routed import kd_routed
from didact.losses.tokens.fused_linear import fused_linear_kd
from didact.losses.tokens.head import Head
from didact.losses.tokens.next_tokens import NextTokens, next_tokens
from didact.losses.tokens.top_k import TopK, top_k_kd

__all__ = [
    "CARDS",
    "CRD",
    "FT",
    "MGD",
    "VID",
    "Card",
    "CurriculumKD",
    "Head",
    "InBatchCRD",
    "NextTokens",
    "ReviewKD",
    "SemCKD",
    "SimKD",
    "TopK",
    "ab",
    "afc",
    "attention_transfer",
    "binary_distillation",
    "binary_kd",
    "cc",
    "cross_entropy_and_hard_kd",
    "cross_entropy_and_kd",
    "cwd",
    "dist",
    "dkd",
    "eeil",
    "forward_kl",
    "fsp",
    "fused_linear_kd",
    "generalised_jsd",
    "hard_kd",
    "hint",
    "ickd",
    "kd",
    "kd_confidence_weighted",
    "kd_geometric_mean",
    "kd_mean_probs",
    "kd_routed",
    "kd_weighted_sum",
    "lucir_less_forget",
    "lucir_margin",
    "lwf",
    "mlkd",
    "mse_logits",
    "next_tokens",
    "nst",
    "ofd",
    "pkt",
    "podnet_flat",
    "podnet_nca",
    "podnet_spatial",
    "reverse_kl",
    "rkd",
    "rkd_angle",
    "rkd_distance",
    "similarity_preserving",
    "skew_kl",
    "skew_reverse_kl",
    "standardise_logits",
    "standardised",
    "standardised_kd",
    "symmetric_kl",
    "token_maps",
    "top_k_kd",
    "total_variation",
]
