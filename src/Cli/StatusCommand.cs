using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>status</c>: whether the services are ready, and what waits for a person.</summary>
static class StatusCommand
{
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command(
            "status",
            "Show whether the services are ready, and what waits for a person. Exit code 0: ready, and nothing waits; 1: "
            + "otherwise.")
        {
            json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var health = await Task.WhenAll(ServiceNames.All.Select(service => client.GetHealthAsync(service, cancel)));
            var services = ServiceNames.All.Zip(health, (service, reply) => (service, Trouble: TroubleOf(reply))).ToList();
            var overview = (await client.GetAsync(ServiceNames.Coordinator, "/overview", cancel)).OrThrow().Body;
            var attention = await PaymentAttention.ListAsync(client, 200, cancel);
            if (output.IsJson) WriteJson(services, overview, attention);
            else Show(output, services, overview, attention);
            var isCalm = services.All(service => service.Trouble is null) && !overview.Items("incidents").Any()
                && attention?.EnumerateArray().Any() != true;
            return isCalm ? Exit.Ok : Exit.Failed;
        });
        return command;
    }

    static string? TroubleOf(ApiReply health) => health.IsSuccess ? null : health.Error ?? "is not ready.";

    static void Show(
        Output output, List<(string Service, string? Trouble)> services, JsonElement overview, JsonElement? attention)
    {
        foreach (var (service, trouble) in services) output.Mark(trouble is null, $"{service} {trouble ?? "is ready."}");
        var open = overview.Whole("open") ?? 0;
        output.Mark(
            open == 0 ? true : null,
            string.Create(
                CultureInfo.InvariantCulture, $"{open:N0} orders in progress, {overview.Whole("overdue"):N0} overdue."));
        var incidents = overview.Items("incidents").ToList();
        output.Mark(
            incidents.Count == 0,
            incidents.Count == 0 ? "No incident is open."
                : $"{incidents.Sum(group => group.Whole("count"))} incidents are open; ./orderwright incidents lists them:");
        if (incidents.Count > 0)
            output.Table(
                ["step", "code", "count#", "oldest"],
                incidents.Select(group => new[]
                {
                    group.Text("step"), group.Text("code"), group.Text("count"), output.Age(group.Text("oldestAt")),
                }));
        PaymentAttention.Show(output, attention);
    }

    static void WriteJson(
        List<(string Service, string? Trouble)> services, JsonElement overview, JsonElement? attention) => Output.Json(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartObject("services");
        foreach (var (service, trouble) in services) writer.WriteString(service, trouble ?? "ready");
        writer.WriteEndObject();
        writer.WritePropertyName("overview");
        overview.WriteTo(writer);
        if (attention is { } payments)
        {
            writer.WritePropertyName("payments");
            payments.WriteTo(writer);
        }
        writer.WriteEndObject();
    });
}
