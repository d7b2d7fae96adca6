"""`make audit`: what scanners say of what is shipped, and of how it is made."""
