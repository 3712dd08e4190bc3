"""Networks of every kind that can be exported, and runs that are quick to make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import experiment_files

import evogen
from evogen.cohort import Ref
from evogen.evaluation import developed
from evogen.experiment import Experiment
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.variation.sample import sample

STATIC = "layer:dense [width,int,1,6,20] act:tanh conn:full neuron:rate plastic:none"
LAYERS = {
    "mixed functions": (
        "layer:dense [width,int,1,8,20] act:mix [tanh,float,1,0.5,1] [relu,float,1,0.5,1]"
        " [gauss,float,1,0.5,1] conn:full neuron:rate plastic:none"
    ),
    "recurrent, leaky, plastic": (
        "layer:recurrent [width,int,1,6,20] act:tanh conn:full neuron:leaky [tau,log,1,2,20] plastic:abcd"
    ),
    "spiking": (
        "layer:dense [width,int,1,8,20] conn:full neuron:lif [tau,log,1,1,5] [theta,log,1,0.01,0.05]"
        " plastic:none"
    ),
    "short-term, one-tick spikes": (
        "layer:recurrent [width,int,1,6,20] conn:full neuron:stpn plastic:none"
        " layer:recurrent [width,int,1,6,20] conn:full neuron:alif-step"
        " [tau,log,1,2,5] [theta,log,1,0.01,0.05] plastic:none"
    ),
    "dendrites, winners, genes": (
        "layer:dense [width,int,1,8,20] act:gelu conn:full neuron:dendrites [share,float,1,0.3,0.6]"
        " layer:dense [width,int,1,8,20] conn:full neuron:hill [n,float,1,1,4] plastic:none"
        " layer:dense [width,int,1,8,20] act:mish conn:full neuron:winners [share,float,1,0.3,0.6]"
    ),
    "sensory, rowdy, adaptive": (
        "layer:dense [width,int,1,6,20] act:tanh conn:full neuron:sensory plastic:none"
        " layer:dense [width,int,1,6,20] conn:full neuron:rowdy plastic:none"
        " layer:dense [width,int,1,6,20] act:swish conn:full neuron:adaptive [n,float,1,1,9] plastic:none"
    ),
}


def load(folder: Path, layers: str) -> Experiment:
    """Return the small experiment with modules of these layers, whose readouts learn in life."""
    grammar = f"<reflex> @type(module) ::= {layers} readout:sum conn:full plastic:abcd\n"
    return evogen.load(experiment_files.write(folder, grammar=grammar))


def born(experiment: Experiment, seed: int = 1) -> tuple[Network, tuple[int, ...]]:
    """Return one agent, and the neurons of each of its levels."""
    posed = problem(experiment, "cpu")
    genome = sample(experiment.space, Key(seed), Ref(0, 0))
    phenotype = developed(posed, genome)
    network = phenotype.agents(phenotype.flat, [Key(seed)], replace(posed.birth, agents=1))
    return network.detach(), phenotype.bodies[0].sizes
