namespace Orderwright.Peers;

/// <param name="Peer"><c>wolverine-durable</c>, <c>wolverine-inline</c> or <c>masstransit</c>.</param>
/// <param name="Service">Name of the service and of its queue.</param>
/// <param name="Listen">URL to listen on.</param>
/// <param name="Database">Connection string of the service's own database.</param>
/// <param name="Broker">URL of RabbitMQ.</param>
sealed record Settings(string Peer, string Service, string Listen, string Database, Uri Broker)
{
    // The four pools fit into the server's 200 connections; 2,000 requests at once may have to wait for a connection. Automatic
    // preparation saves a parse and a plan per statement. A plan made for empty tables would go on to scan them, so the planner
    // takes indexes and nested loops, as in Orderwright.
    const string Tuning =
        ";Maximum Pool Size=40;Timeout=120;Max Auto Prepare=100;Auto Prepare Min Usages=2;No Reset On Close=true" +
        ";Options=-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

    public static Settings Read() => new(
        Get("PEER"), Get("SERVICE"), Get("LISTEN"), Get("DATABASE") + Tuning, new Uri(Get("TRANSPORT")));

    static string Get(string name) => Environment.GetEnvironmentVariable($"ORDERWRIGHT_{name}")
        ?? throw new InvalidOperationException($"ORDERWRIGHT_{name} is not set.");
}
