"""Tests of the action, the template and the component with which a pipeline signs in."""
