"""Where submitted code runs: a fresh room for every try, and nothing of value inside it.

The trusted side uses `rooms` only. From outside to inside:

    rooms       trusted: opens a room for a try, talks to it, and closes it
    bars        trusted: the bubblewrap command, which is all that a zygote can ever see
    zygote      jailed: imports the libraries once, holds no submission, forks a child a try
    walls       jailed: what each child puts between itself and everything else
    kernel      jailed: the Linux calls behind the walls
    inmate      jailed: reads its own job, runs the cells, answers the probes
    notebook    jailed: runs a cell as IPython would
    wire        both: JSON lines on a socket, with deadlines and size limits
    limits      both: how much time, memory, disk and how many processes a try may use
"""
