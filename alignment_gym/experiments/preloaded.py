"""What a server loads once, so that each run forked from it begins with it: importing this module loads everything.

SB3's optimisers load torch's compiler when they are first used, which costs each process more than a second; loaded
here, it costs nothing. What is loaded is frozen, so that a forked process's garbage collection does not copy it.
"""

import gc
import os
from importlib import import_module

LOADED = (
    "alignment_gym.agents.sb3",
    "alignment_gym.experiments.local",
    "scipy.sparse.linalg",
    "torch._dynamo",
    "torch.profiler",
)

_parent = os.getppid()
for _name in LOADED:
    import_module(_name)
    if os.getppid() != _parent:  # killed while this was loading: there is nobody left to serve
        os._exit(1)
gc.collect()
gc.freeze()
