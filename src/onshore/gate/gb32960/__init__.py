"""The door for GB/T 32960.3-2016, which every new-energy vehicle in China speaks."""
