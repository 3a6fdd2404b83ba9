"""People who do not exist: rendered pictures with every truth known (``python -m pise_core synthesize people``).

``dataset`` reads what the command wrote and needs numpy alone; everything else here needs what
``requirements-synthetic.txt`` lists. Nothing that serves imports this package.
"""
