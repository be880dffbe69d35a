"""The pages of the desk, a module for each subject; `issuer.web.app` says who may see them."""
