using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orderwright.Contracts;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Rights of the services' users in a broker, as RabbitMQ definitions: a user per service, named after the service, and the
/// shared exchanges. A service declares and reads its own queue and those of its instances only, and sends to its own
/// destinations only; both follow from <see cref="MessageCatalog"/>. The right to bind is limited likewise, so no service reads
/// the messages of others.
/// </summary>
public static class BrokerRights
{
    const string VirtualHost = "/";

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes definitions for <c>load_definitions</c> or <c>rabbitmqctl import_definitions</c>.</summary>
    /// <param name="passwordOf">Password of a service's user.</param>
    public static string Definitions(Func<string, string> passwordOf) => Definitions(passwordOf, "");

    /// <inheritdoc cref="Definitions(Func{string, string})"/>
    /// <param name="passwordOf">Password of a service's user.</param>
    /// <param name="userPrefix">See <see cref="RabbitMqOptions.UserPrefix"/>.</param>
    /// <param name="quorumQueues">See <see cref="RabbitMqOptions.QuorumQueues"/>; true in a cluster.</param>
    public static string Definitions(Func<string, string> passwordOf, string userPrefix, bool quorumQueues = false) =>
        new JsonObject
        {
            ["vhosts"] = new JsonArray(new JsonObject { ["name"] = VirtualHost }),
            ["users"] = PerService(service => new()
            {
                ["name"] = userPrefix + service, ["password"] = passwordOf(service), ["tags"] = new JsonArray(),
            }),
            ["permissions"] = PerService(service => new()
            {
                ["user"] = userPrefix + service,
                ["vhost"] = VirtualHost,
                ["configure"] = Names(service),
                ["write"] = service == ServiceNames.Order
                    ? Names(service, Topology.Exchange, Topology.Dead, Topology.Events)
                    : Names(service, Topology.Exchange, Topology.Dead),
                ["read"] = Names(service, Topology.Exchange),
            }),
            ["topic_permissions"] = PerService(service => new()
            {
                ["user"] = userPrefix + service,
                ["vhost"] = VirtualHost,
                ["exchange"] = Topology.Exchange,
                // To itself: an operator's replay of a dead letter.
                ["write"] = Keys([.. MessageCatalog.DestinationsOf(service).Append(service).Order(StringComparer.Ordinal)]),
                ["read"] = Keys(service),
            }),
            ["exchanges"] = new JsonArray(
                Exchange(Topology.Exchange, "topic"), Exchange(Topology.Dead, "fanout"), Exchange(Topology.Events, "topic")),
            ["queues"] = new JsonArray(new JsonObject
            {
                ["name"] = Topology.Dead, ["vhost"] = VirtualHost, ["durable"] = true, ["auto_delete"] = false,
                ["arguments"] = JsonSerializer.SerializeToNode(
                    Topology.DeadArguments(new RabbitMqOptions { QuorumQueues = quorumQueues })),
            }),
            ["bindings"] = new JsonArray(new JsonObject
            {
                ["source"] = Topology.Dead, ["vhost"] = VirtualHost, ["destination"] = Topology.Dead,
                ["destination_type"] = "queue", ["routing_key"] = "", ["arguments"] = new JsonObject(),
            }),
        }.ToJsonString(Indented);

    static JsonArray PerService(Func<string, JsonObject> write) => new([.. ServiceNames.All.Select(write)]);

    static JsonObject Exchange(string name, string type) => new()
    {
        ["name"] = name, ["vhost"] = VirtualHost, ["type"] = type, ["durable"] = true, ["auto_delete"] = false,
        ["internal"] = false, ["arguments"] = new JsonObject(),
    };

    // The service's queue, the queues of its instances, and other objects.
    static string Names(string service, params string[] others) =>
        $"^({string.Join('|', others.Select(Regex.Escape).Prepend($"{Regex.Escape(service)}(@[^.]+)?"))})$";

    // A routing key is the destination, a service or an instance of it, a dot, and a wire name.
    static string Keys(params string[] services) => $"^({string.Join('|', services.Select(Regex.Escape))})(@[^.]+)?\\.";
}
