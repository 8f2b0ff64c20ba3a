"""What works in the background: reads buffers, processes records, and delivers them."""
