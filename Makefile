test demo bench clis:
	@scripts/$@

.PHONY: test demo bench clis
