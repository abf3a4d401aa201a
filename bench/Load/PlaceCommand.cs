namespace Orderwright.Load;

/// <summary>What a load is to be. Read from a line of JSON.</summary>
/// <param name="Urls">Of the order-service instances; connections are spread evenly.</param>
/// <param name="Orders">How many to place.</param>
/// <param name="Connections">Requests on their way at once, at most.</param>
/// <param name="Rate">Orders a second, at fixed moments, whatever the answers do; 0: the next one as soon as one is answered.</param>
/// <param name="WaitEvery">Every how manyth order is answered with its decision, and so measured to its end.</param>
/// <param name="Seed">Of the mix.</param>
/// <param name="OneSku">All on one product.</param>
/// <param name="Keyed">With reference and Idempotency-Key.</param>
sealed record PlaceCommand(
    string[] Urls, int Orders, int Connections, double Rate = 0, int WaitEvery = 1, int Seed = 1, bool OneSku = false,
    bool Keyed = false);

/// <param name="Orders">Accepted and at their end.</param>
/// <param name="Confirmed">Of those that were answered with their decision.</param>
/// <param name="Rejected">Likewise.</param>
/// <param name="Undecided">Answered after 30 s without a decision.</param>
/// <param name="Refused">Answers 503; such an order is placed again.</param>
/// <param name="Seconds">From the first request until the last order was at its end.</param>
/// <param name="Milliseconds">From the moment an order was (to be) sent to the answer with its decision, by percentile.</param>
sealed record PlaceResult(
    int Orders, int Confirmed, int Rejected, int Undecided, int Refused, double Seconds,
    IReadOnlyDictionary<string, double> Milliseconds);
