"""The tab "Segment": choose, plan, run, cluster, look, export."""
