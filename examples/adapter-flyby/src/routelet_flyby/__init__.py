"""An adapter for flyby. This file is in every function; what builds is in `adapter` alone."""
