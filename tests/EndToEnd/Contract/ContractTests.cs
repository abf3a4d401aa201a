using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd.Contract;

/// <summary>
/// The description of the API: committed as served, without a finding of a linter, and true of every operation. All tests of this
/// suite send their requests through <see cref="ContractJudge"/> as well.
/// </summary>
public sealed class ContractTests(SharedHttpHost shared) : IDisposable
{
    static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n",
    };

    // Success needs a broken gateway, a lost row, a signature, a second person, a long run, or money not captured yet; their
    // refusals are validated here, and their successes by the tests of these operations.
    static readonly string[] OnlyRefused =
    [
        "adoptPayment", "approveOperation", "capturePayment", "getDeadLetter", "healReservations", "receiveWebhook",
        "rejectOperation", "replayDeadLetter", "replyToStep", "resolvePayment", "stopBulkAction", "voidPayment",
    ];

    [Fact]
    public async Task The_committed_document_is_the_one_that_is_served()
    {
        // Without the judge, who needs the document.
        var served = JsonNode.Parse(await unjudged.GetStringAsync("/openapi/v1.json"))!.ToJsonString(Readable) + "\n";
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(ApiContract.Path, served);
        Assert.Equal(served, await File.ReadAllTextAsync(ApiContract.Path));
    }

    [Fact]
    public async Task A_linter_with_its_recommended_rules_finds_nothing()
    {
        var (exit, output) = await NodePackages.RunAsync(
            "redocly", "lint", ApiContract.Path, "--extends=recommended", "--format=json");
        var report = JsonNode.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..(output.LastIndexOf('}') + 1)])!;
        Assert.Equal(("[]", 0), (report["problems"]!.ToJsonString(), exit));
    }

    [Fact]
    public void An_answer_that_contradicts_the_document_is_found()
    {
        var contract = ApiContract.Current.Value;
        var operation = contract.Find(HttpMethod.Get, "/api/v1/products/MUG")!;
        Assert.Equal("getProduct", operation.Id);
        Assert.Equal("getProcessCensus", contract.Find(HttpMethod.Get, "/api/v1/process/census")!.Id);
        var product = """
            {"sku":"MUG","name":"Mug","unitPrice":895,"currency":"GBP","version":1,"createdAt":"2026-01-31T09:30:00.123Z",
            "updatedAt":"2026-01-31T09:30:00.123Z"}
            """;
        Assert.Empty(Faults(200, product));
        Assert.Contains(
            "contradicts the schema", Faults(200, product.Replace("895", "\"895\"", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Contains(
            "contradicts the schema", Faults(200, product.Replace(",\"version\":1", "", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Contains("the status 418", Faults(418, product), StringComparison.Ordinal);
        Assert.Contains("the type text/html", Faults(200, product, "text/html"), StringComparison.Ordinal);
        Assert.Contains("the header X-New", Faults(200, product, header: "X-New"), StringComparison.Ordinal);

        string Faults(int status, string body, string type = "application/json", string header = "ETag")
        {
            using var response = new HttpResponseMessage { Content = new StringContent(body, null, type) };
            response.Headers.TryAddWithoutValidation(header, "\"1\"");
            return string.Join(
                ' ', contract.FaultsOf(
                    operation, status, response.Headers, response.Content.Headers, System.Text.Encoding.UTF8.GetBytes(body)));
        }
    }

    [Fact]
    public async Task Every_operation_answers_as_described()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo", "--approval-above", "GBP:99999999");
        var client = host.Client;
        await new ContractWalk(client).RunAsync();
        var answers = ContractJudge.Seen.Keys;
        var answered = answers.Where(answer => answer.Status is not (404 or 405)).Select(answer => answer.Operation);
        var succeeded = answers.Where(answer => answer.Status < 300).Select(answer => answer.Operation);
        var operations = ApiContract.Current.Value.Operations.Select(operation => operation.Id).ToList();
        Assert.Empty(operations.Except(answered).Except(OnlyRefused));
        Assert.Empty(operations.Except(succeeded).Except(OnlyRefused));
    }

    [Fact]
    public async Task Every_limit_of_a_body_is_enforced_at_its_place()
    {
        var contract = ApiContract.Current.Value;
        var accepted = new List<string>();
        var tried = 0;
        foreach (var operation in contract.Operations.Where(operation => operation.Example is JsonObject))
        {
            // Signed by a participant: refused before the body is read. Repairs come from `heal`, and are judged as a whole.
            if (operation.Id == "replyToStep" || operation.Tag == "heal") continue;
            var body = Completed(contract, operation.BodySchema!, operation.Example!);
            foreach (var (pointer, value) in Violations(contract, contract.Resolved(operation.BodySchema)!, body, ""))
            {
                tried++;
                var answer = await SendAsync(operation, With(body, pointer, value));
                if (answer.Status != 400 || !answer.Errors.Any(error => error.Split(' ')[0] == pointer))
                    accepted.Add(
                        $"{operation.Id} {pointer} {Shortened(value)}: {answer.Status} {string.Join(", ", answer.Errors)}");
            }
        }
        Assert.True(accepted.Count == 0, string.Join('\n', accepted));
        Console.WriteLine($"{tried} values outside of a limit.");
        Assert.InRange(tried, 80, 10_000);
    }

    [Fact]
    public async Task Described_parameters_are_read_and_others_refused()
    {
        var operations = ApiContract.Current.Value.Operations.Where(operation => operation.Parameters("query").Any()).ToList();
        var all = operations.SelectMany(operation => operation.Parameters("query")).DistinctBy(
            parameter => (string)parameter["name"]!).ToList();
        var wrong = new List<string>();
        foreach (var operation in operations)
        {
            var own = operation.Parameters("query").ToDictionary(parameter => (string)parameter["name"]!);
            foreach (var parameter in all)
            {
                var name = (string)parameter["name"]!;
                if (name == "cursor") continue;
                var value = ValueOf(own.GetValueOrDefault(name, parameter)["schema"]!);
                var answer = await SendAsync(operation, operation.Example, $"?{name}={value}");
                var refused = answer.Status == 400 && answer.Errors.Contains($"{name} unknown_parameter");
                // The former form of two paths, which have a schema of their own for a preview.
                if (name == "preview" && operation.Id is "cancelOrder" or "beginBulkAction") continue;
                var isRead = !answer.Errors.Any(error => error.StartsWith($"{name} ", StringComparison.Ordinal))
                    || answer.Errors.Contains("by only_with_preview");
                if (own.ContainsKey(name) ? !isRead : !refused)
                    wrong.Add($"{operation.Id}?{name}={value}: {answer.Status} {string.Join(", ", answer.Errors)}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // Requests of these tests may be accepted or refused against the description, which is what they find out.
    readonly HttpClient unjudged = new() { BaseAddress = shared.Host.Url };

    public void Dispose() => unjudged.Dispose();

    Task<HttpAnswer> SendAsync(ApiOperation operation, JsonNode? body, string query = "")
    {
        var path = operation.Template;
        foreach (var parameter in operation.Parameters("path"))
            path = path.Replace(
                $"{{{(string)parameter["name"]!}}}", (string)parameter["schema"]!["examples"]![0]!, StringComparison.Ordinal);
        return unjudged.SendAsync(
            new HttpMethod(operation.Method), path + query,
            body is null ? null : System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()));
    }

    // Values just outside of each limit, with the place of each.
    static IEnumerable<(string Pointer, JsonNode Value)> Violations(
        ApiContract contract, JsonNode schema, JsonNode? at, string pointer)
    {
        if (schema["oneOf"] is JsonArray choices) schema = choices[^1]!;
        schema = contract.Resolved(schema)!;
        if (schema["enum"] is JsonArray) yield return (pointer, "no such value");
        if (schema["pattern"] is not null) yield return (pointer, "not ä value");
        if ((string?)schema["format"] is "uuid" or "date-time") yield return (pointer, "neither");
        if ((long?)schema["minimum"] is { } least) yield return (pointer, least - 1);
        if ((long?)schema["maximum"] is { } most) yield return (pointer, most + 1);
        if ((int?)schema["maxLength"] is { } longest) yield return (pointer, new string('x', longest + 1));
        if ((int?)schema["minLength"] is > 0) yield return (pointer, "");
        if ((int?)schema["minItems"] is > 0) yield return (pointer, new JsonArray());
        if ((int?)schema["maxItems"] is { } many && ExampleOf(contract, schema["items"]!) is { } item)
            yield return (pointer, new JsonArray([.. Enumerable.Range(0, many + 1).Select(_ => item.DeepClone())]));
        if ((int?)schema["maxProperties"] is { } wide)
            yield return (pointer, new JsonObject(Enumerable.Range(0, wide + 1).Select(
                i => KeyValuePair.Create($"k{i}", (JsonNode?)"v"))));
        if (schema["additionalProperties"] is JsonValue)
            yield return ($"{pointer}/colour", "red");
        foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
            foreach (var violation in Violations(contract, property!, at?[name], $"{pointer}/{name}")) yield return violation;
        if (schema["items"] is { } items && at is JsonArray { Count: > 0 } list)
            foreach (var violation in Violations(contract, items, list[0], $"{pointer}/0")) yield return violation;
    }

    static JsonNode? ExampleOf(ApiContract contract, JsonNode schema)
    {
        schema = contract.Resolved(schema)!;
        if (schema["examples"] is JsonArray examples) return examples[0]!.DeepClone();
        if (schema["enum"] is JsonArray values) return values[0]!.DeepClone();
        if (schema["properties"] is not JsonObject properties) return (string?)schema["type"] switch
        {
            "string" => "text", "integer" => 1, "boolean" => true, _ => null,
        };
        var example = new JsonObject();
        foreach (var name in schema["required"] as JsonArray ?? [])
            example[(string)name!] = ExampleOf(contract, properties[(string)name!]!);
        return example;
    }

    // With an object for each optional one.
    static JsonNode Completed(ApiContract contract, JsonNode schema, JsonNode example)
    {
        var body = example.DeepClone();
        foreach (var (name, property) in contract.Resolved(schema)!["properties"] as JsonObject ?? [])
        {
            var type = contract.Resolved((property!["oneOf"] as JsonArray)?[^1] ?? property)!;
            if (type["properties"] is not null) body[name] ??= ExampleOf(contract, type);
        }
        return body;
    }

    static JsonNode With(JsonNode example, string pointer, JsonNode value)
    {
        var body = example.DeepClone();
        var parts = pointer.Split('/')[1..];
        var at = body;
        foreach (var part in parts[..^1])
            at = int.TryParse(part, CultureInfo.InvariantCulture, out var index) ? at[index]! : at[part]!;
        if (int.TryParse(parts[^1], CultureInfo.InvariantCulture, out var last)) at[last] = value.DeepClone();
        else at[parts[^1]] = value.DeepClone();
        return body;
    }

    static string ValueOf(JsonNode schema) =>
        schema["enum"] is JsonArray values ? (string)values[0]!
        : schema["examples"] is JsonArray examples ? Uri.EscapeDataString($"{examples[0]}")
        : (string?)schema["type"] switch
        {
            "boolean" => "false",
            "integer" => "1",
            "array" => ValueOf(schema["items"]!),
            _ => "text",
        };

    static string Shortened(JsonNode value) => value.ToJsonString() is { Length: > 60 } text ? text[..60] : value.ToJsonString();
}
