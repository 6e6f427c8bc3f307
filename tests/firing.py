"""The network whose runs are killed: cells of which the first fires, in steps of 0.01 ms."""

MODEL = """<Lems>
  <Include file="Cells.xml"/> <Include file="Networks.xml"/> <Include file="Simulation.xml"/>
  <izhikevich2007Cell id="cell" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60 mV" vt="-40 mV" vpeak="35 mV"
    a="0.03 per_ms" b="-2 nS" c="-50 mV" d="100 pA"/>
  <pulseGenerator id="input" delay="1ms" duration="10s" amplitude="100 pA"/>
  <network id="net">
    <population id="pop" component="cell" size="{size}"/>
    <explicitInput target="pop[0]" input="input"/>
  </network>
  <Simulation id="sim" length="{length} ms" step="0.01 ms" target="net">
    <OutputFile id="out" fileName="v.dat">
      <OutputColumn id="a" quantity="pop[0]/v"/> <OutputColumn id="b" quantity="pop[{last}]/v"/>
      <OutputColumn id="c" quantity="pop[0]/u"/> <OutputColumn id="d" quantity="pop[{last}]/u"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"""


def model(size, length):
    """A network of so many cells that runs for so many milliseconds, and records the first and the last cell."""
    return MODEL.format(size=size, last=size - 1, length=length)
