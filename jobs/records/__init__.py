"""Where bulk data comes from and goes to: named connections, the files under one, the tables behind another."""
