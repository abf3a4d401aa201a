using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification;
using Orderwright.Verification.Healing;

namespace Orderwright.Cli;

/// <summary>
/// <c>heal</c>: compares the four databases after one was restored to an earlier moment, shows the differences, and has the
/// services repair them until they agree. Exit code 0 if they agree, 1 if differences or conflicts are left, 6 if the services
/// were still moving at the end.
/// </summary>
static class HealCommand
{
    public static Command Create()
    {
        var (data, postgres) = (CommonOptions.Data(), CommonOptions.Postgres());
        var accept = new Option<string?>("--accept")
        {
            Description = "Repair nothing, and let this service work with its database as it is.",
        };
        accept.AcceptOnlyFromAmong([.. ServiceNames.All]);
        var (preview, json) = (CommonOptions.Preview(), CommonOptions.Json());
        var command = new Command(
            "heal",
            "Repair a service whose database was restored to an earlier moment, by the facts of the other services. Exit code 0: "
            + "the services agree; 1: differences (with --preview) or conflicts are left; 6: orders were still moving.")
        {
            data, postgres, accept, preview, json,
        };
        command.SetAction((parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            return parsed.GetValue(accept) is { } service
                ? AcceptAsync(output, service, cancel)
                : RunAsync(
                    output, parsed.GetValue(data)!, parsed.GetValue(postgres), parsed.GetValue(preview), cancel);
        });
        return command;
    }

    static async Task<int> AcceptAsync(Output output, string service, CancellationToken cancel)
    {
        var client = await Server.ConnectAsync(cancel);
        var body = new JsonObject { ["reason"] = "Accepted by an operator without repairs." };
        var accepted = (await client.PostAsync(service, $"/heal/{service}/accept", body, cancel)).OrThrow().Body;
        output.ShowJson(accepted);
        output.Mark(true, $"{service} works with its database as it is.");
        output.Line($"Lost for good: {Unrecoverable.Of(service)}");
        return Exit.Ok;
    }

    static async Task<int> RunAsync(Output output, string data, string? postgres, bool preview, CancellationToken cancel)
    {
        var client = await Server.ConnectAsync(cancel);
        var opened = ServiceDatabases.Open(data, postgres, null);
        try
        {
            foreach (var database in opened) output.Line($"Reading {database.Service}: {database.Place}");
            var databases = opened.ToDictionary(database => database.Service, database => database.Database);
            await RefuseOtherDatabasesAsync(databases, cancel);
            var run = new HealRun(databases, new HealedServices(client, output), TimeProvider.System);
            var report = await run.RunAsync(preview, pass => output.Line(Line(pass, preview)), cancel);
            if (output.IsJson) Output.Json(writer => Write(writer, report, preview));
            else Show(output, report, preview);
            return report.Conflicts.Count > 0 || (preview && !report.Agrees) ? Exit.Failed
                : report.Agrees ? Exit.Ok
                : Exit.NotJudged;
        }
        catch (DatabaseUnavailableException error)
        {
            throw new ToolException(Exit.Unreachable, $"A database is unavailable: {error.Message}");
        }
        finally
        {
            foreach (var (_, database, _) in opened) await database.DisposeAsync();
        }
    }

    // Repairs planned from one installation must never reach another.
    static async Task RefuseOtherDatabasesAsync(IReadOnlyDictionary<string, IDatabase> databases, CancellationToken cancel)
    {
        var verifier = new Verifier(databases, TimeProvider.System);
        if (await ServiceDatabases.DifferenceFromServerAsync(verifier, await verifier.IdentifyAsync(cancel), cancel) is { } other)
            throw new ToolException(
                Exit.Refused,
                $"The server at {Server.Address} {other}. Name its databases with --data or --postgres.");
    }

    static string Line(HealPass pass, bool preview) => preview
        ? string.Create(CultureInfo.InvariantCulture, $"Pass {pass.Number}: {pass.Orders:N0} orders read.")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"Pass {pass.Number}: {pass.Orders:N0} orders read, {pass.Repairs:N0} repairs sent, {pass.Moving:N0} orders moving.");

    static void Show(Output output, HealReport report, bool preview)
    {
        foreach (var service in report.Behind) output.Mark(null, $"{service} was restored, and accepted nothing but repairs.");
        foreach (var (service, what, orders, since, example) in report.Differences)
            output.Mark(null, string.Create(
                CultureInfo.InvariantCulture,
                $"{service}: {what}, {orders:N0} orders, the first placed {since:yyyy-MM-dd HH:mm:ss} UTC ({example})"));
        foreach (var (id, code, message) in report.Conflicts) output.Mark(false, $"{code}  order {id}: {message}");
        foreach (var lost in report.Unrecoverable) output.Mark(null, $"not recoverable, of {lost}");
        if (preview)
            output.Mark(report.Agrees, report.Agrees ? "The services agree." : "The services differ; nothing was changed.");
        else
            output.Mark(
                report.Agrees && report.Conflicts.Count == 0,
                !report.Agrees ? $"Orders were still moving after {report.Passes} passes; run heal again."
                : report.Conflicts.Count > 0
                    ? $"The services agree, except for {report.Conflicts.Count} conflicts that only a person can resolve."
                    : "The services agree.");
    }

    static void Write(Utf8JsonWriter json, HealReport report, bool preview)
    {
        json.WriteStartObject();
        json.WriteBoolean("agrees", report.Agrees);
        json.WriteBoolean("preview", preview);
        json.WriteNumber("orders", report.Orders);
        json.WriteNumber("passes", report.Passes);
        json.WriteNumber("repairs", report.Repairs);
        json.WriteStartArray("behind");
        foreach (var service in report.Behind) json.WriteStringValue(service);
        json.WriteEndArray();
        json.WriteStartArray("differences");
        foreach (var (service, what, orders, since, example) in report.Differences)
        {
            json.WriteStartObject();
            json.WriteString("service", service);
            json.WriteString("what", what);
            json.WriteNumber("orders", orders);
            json.WriteString("since", since);
            json.WriteString("example", example);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("conflicts");
        foreach (var (id, code, message) in report.Conflicts)
        {
            json.WriteStartObject();
            json.WriteString("orderId", id);
            json.WriteString("code", code);
            json.WriteString("message", message);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("notRecoverable");
        foreach (var lost in report.Unrecoverable) json.WriteStringValue(lost);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The services over their HTTP API. A request without a successful reply is repeated in the next pass.</summary>
    sealed class HealedServices(ApiClient client, Output output) : IHealedServices
    {
        public async Task<IReadOnlyList<ClosedFence>> FencesAsync(CancellationToken cancel)
        {
            var closed = new List<ClosedFence>();
            foreach (var process in client.Addresses.Processes)
                foreach (var service in (await client.GetAsync(process, "/heal", cancel)).OrThrow().Body.Items("services"))
                    if (service.TextOrNull("behind") is not null)
                        closed.Add(new(service.Text("service"), service.Flag("resumed")));
            return closed;
        }

        public Task<HealResponse?> HealAsync(HealSagasRequest request, CancellationToken cancel) =>
            PostAsync(ServiceNames.Coordinator, "sagas", request, HealJson.Default.HealSagasRequest, cancel);

        public Task<HealResponse?> HealAsync(HealReservationsRequest request, CancellationToken cancel) =>
            PostAsync(ServiceNames.Stock, "reservations", request, HealJson.Default.HealReservationsRequest, cancel);

        public Task<HealResponse?> HealAsync(HealPaymentsRequest request, CancellationToken cancel) =>
            PostAsync(ServiceNames.Customer, "payments", request, HealJson.Default.HealPaymentsRequest, cancel);

        public Task<HealResponse?> HealAsync(HealOrdersRequest request, CancellationToken cancel) =>
            PostAsync(ServiceNames.Order, "orders", request, HealJson.Default.HealOrdersRequest, cancel);

        public Task<bool> ResumeAsync(string service, string reason, CancellationToken cancel) =>
            OpenAsync(service, "resume", reason, cancel);

        public Task<bool> AcceptAsync(string service, string reason, CancellationToken cancel) =>
            OpenAsync(service, "accept", reason, cancel);

        async Task<bool> OpenAsync(string service, string action, string reason, CancellationToken cancel)
        {
            var reply = await client.PostAsync(
                service, $"/heal/{service}/{action}", new JsonObject { ["reason"] = reason }, cancel);
            if (!reply.IsSuccess) output.Mark(false, Exit.Advice(reply));
            return reply.IsSuccess;
        }

        async Task<HealResponse?> PostAsync<T>(
            string service, string name, T request, JsonTypeInfo<T> type, CancellationToken cancel)
        {
            var reply = await client.PostAsync(
                service, $"/heal/{name}", JsonSerializer.SerializeToNode(request, type)!.AsObject(), cancel);
            if (reply.IsSuccess) return reply.Body.Deserialize(HealJson.Default.HealResponse);
            output.Mark(false, Exit.Advice(reply));
            // The next pass would send the same body, and get the same refusal.
            return reply.Status is 400 or 401 or 403 or 413
                ? throw new ToolException(Exit.Of(reply), Exit.Advice(reply))
                : null;
        }
    }
}
