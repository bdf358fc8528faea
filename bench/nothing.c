/*
 * nothing: a program that does nothing, for what starting any program costs.
 */
int
main(void)
{
	return 0;
}
