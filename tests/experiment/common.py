"""A small experiment."""

from ffltool.experiment import Design
from ffltool.objective import Objective
from ffltool.runs import Judging
from ffltool.train import Plan

PLAN = Plan(model="ae", size=32, batch_size=6, epochs=3, objective=Objective(ffl_weight=10))
DESIGN = Design(variants=("w/o FFL", "FFL", "alpha=0.5"), seeds=(3, 4), once=("w/o phase", "weight=0"))
JUDGING = Judging(metrics=("psnr", "ssim", "lfd", "lsd", "gain"))
