"""Tree to build folder: resolve, expand, identify, snapshot, plan, emit."""
