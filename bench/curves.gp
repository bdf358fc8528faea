# curves: pictures of what bench/curves has measured. directory: where the data are, and go.
set datafile separator "\t"
set terminal svg size 900,640 dynamic font "sans,12" background "white"
set logscale x
set yrange [0:*]
set key left top
set grid

set output directory."/running.svg"
running = directory."/running.tsv"
set xlabel "children that run"
set multiplot layout 3,2
set ylabel "ms"
plot running using 1:2 with linespoints title "enqueue", running using 1:3 with linespoints title "status"
set ylabel "MiB, private"
plot running using 1:($4/1024) with linespoints title "supervisor", \
	running using 1:($5/1024) with linespoints title "server"
set ylabel "descriptors"
plot running using 1:6 with linespoints title "supervisor", running using 1:7 with linespoints title "server"
set ylabel "ms a job more, in a batch"
plot running using 1:9 with linespoints title "wall", running using 1:10 with linespoints title "supervisor, processor"
set ylabel "% of a core"
plot directory."/beating.tsv" using 1:2 with linespoints title "each beats once a second", \
	running using 1:8 with linespoints title "all are quiet"
unset multiplot

set output directory."/history.svg"
history = directory."/history.tsv"
set xlabel "jobs that have ended"
set multiplot layout 2,2
set ylabel "ms"
plot history using 1:2 with linespoints title "enqueue", history using 1:3 with linespoints title "status"
set ylabel "ms a job, in a batch"
plot history using 1:4 with linespoints notitle
set ylabel "MiB, private"
plot history using 1:($5/1024) with linespoints title "server"
set ylabel "ms to start the daemon"
plot history using 1:7 with linespoints notitle
unset multiplot
