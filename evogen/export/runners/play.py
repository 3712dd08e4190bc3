"""Play episodes: python run.py [EPISODES]; needs onnxruntime, numpy and gymnasium."""

import json
import sys
from pathlib import Path

import gymnasium
import numpy as np
import onnxruntime

here, returns = Path(__file__).parent, []
told = {name: json.loads((here / f"{name}.json").read_text()) for name in ("agent", "environment", "seeds")}
seeds = dict(enumerate(told["seeds"]["episodes"]))  # those behind the expected return; later ones are new
session = onnxruntime.InferenceSession(here / "agent.onnx")
seen, *memory = session.get_inputs()
number = np.float64 if "double" in seen.type else np.float32
env = gymnasium.make(told["environment"]["id"], **told["environment"]["kwargs"])
for episode in range(int(sys.argv[1]) if len(sys.argv) > 1 else len(seeds)):
    observation, over, total = env.reset(seed=seeds.get(episode, episode))[0], False, 0.0
    state = {one.name: np.zeros([1, *one.shape[1:]], number) for one in memory}
    while not over:
        _, action, *after = session.run(None, {seen.name: observation[None].astype(number), **state})
        state = dict(zip(state, after, strict=True))
        observation, reward, ended, cut, _ = env.step(action[0].astype(env.action_space.dtype))
        over, total = ended or cut, total + float(reward)
    returns.append(total)
low, high = told["agent"]["expected"]["interval"]
print(f"mean return {np.mean(returns):.3f} over {len(returns)} episodes; expected {low:.3f} to {high:.3f}")
