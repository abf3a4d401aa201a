using System.CommandLine;
using Orderwright.Contracts;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Cli;

/// <summary>
/// <c>broker-rights</c>: prints the RabbitMQ users of the services with exactly the rights they need. Passwords come from
/// standard input, where neither a list of processes nor a shell's history shows them.
/// </summary>
static class BrokerRightsCommand
{
    public static Command Create()
    {
        var prefix = new Option<string>("--user-prefix")
        {
            Description = "Prefix of the users' names, where installations share a broker (ORDERWRIGHT_USER_PREFIX).",
            DefaultValueFactory = _ => "",
        };
        var quorum = new Option<bool>("--quorum-queues")
        {
            Description = "Make the queue of dead letters a quorum queue, as in a cluster (ORDERWRIGHT_QUORUM_QUEUES).",
        };
        var command = new Command(
            "broker-rights",
            "Print RabbitMQ definitions with a user per service and its rights. Reads \"SERVICE PASSWORD\" lines from standard "
            + "input.")
        {
            prefix, quorum,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var passwords = new Dictionary<string, string>();
            while (await Console.In.ReadLineAsync(cancel) is { } line)
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var service, var password])
                    passwords[service] = password;
            if (ServiceNames.All.FirstOrDefault(service => !passwords.ContainsKey(service)) is { } missing)
                throw new ToolException(
                    Exit.Usage,
                    $"Standard input has no line \"{missing} PASSWORD\". Required: {string.Join(", ", ServiceNames.All)}.");
            Console.WriteLine(BrokerRights.Definitions(
                service => passwords[service], parsed.GetValue(prefix)!, parsed.GetValue(quorum)));
            return Exit.Ok;
        });
        return command;
    }
}
