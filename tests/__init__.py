"""Tests of ffltool, a package so that they can share modules."""
