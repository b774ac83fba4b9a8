check test demo bench clis lock newest azdev:
	@scripts/$@

.PHONY: check test demo bench clis lock newest azdev
