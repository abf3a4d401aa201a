namespace Orderwright.Bench;

/// <summary>How long and how much is measured.</summary>
/// <param name="Data">Where servers and databases are kept while it runs; deleted at the end.</param>
/// <param name="Repeat">Runs of each side of a comparison.</param>
/// <param name="Orders">Of a saturated run.</param>
/// <param name="WarmUp">Orders before the first run that counts.</param>
/// <param name="Connections">Requests on their way at once in a saturated run.</param>
/// <param name="WaitEvery">Every how manyth order of a saturated run is answered with its decision.</param>
sealed record BenchOptions(string Data, int Repeat, int Orders, int WarmUp, int Connections, int WaitEvery);
