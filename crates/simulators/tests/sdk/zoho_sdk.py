"""Drives a Zoho simulator with Zoho's own Python SDK.

    python zoho_sdk.py http://127.0.0.1:PORT

Prints one line per step and ends with status 1 if one failed. All data is invented.
"""

import datetime
import json
import logging
import sys
import tempfile
import urllib.request

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.fields import FieldsOperations
from zohocrmsdk.src.com.zoho.crm.api.fields.fields_operations import GetFieldsParam
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.modules import ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.notifications import BodyWrapper as Watch
from zohocrmsdk.src.com.zoho.crm.api.notifications import Notification, NotificationsOperations
from zohocrmsdk.src.com.zoho.crm.api.notifications.notifications_operations import (
    DeleteNotificationParam,
    GetNotificationsParam,
)
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, Record, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.record.record_operations import (
    DeleteRecordsParam,
    GetDeletedRecordsParam,
    GetRecordsParam,
    RecordCountParam,
    SearchRecordsParam,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

KEY = "Moodle_Grade_Composite_Key"
failures = []


def step(name):
    """Runs the function once and reports how it went."""

    def run(function):
        try:
            print(f"ok   {name}: {function()}")
        except Exception as error:  # a step must not hide the next ones
            failures.append(name)
            print(f"FAIL {name}: {type(error).__name__} {error}")

    return run


def control(base, path):
    with urllib.request.urlopen(f"{base}/_control/{path}") as answer:
        return json.load(answer)


def connect(base):
    credentials = control(base, "credentials")
    folder = tempfile.mkdtemp()
    environment = DataCenter.Environment(base, f"{base}/oauth/v2/token", base)
    environment.name = "simulator"
    token = OAuthToken(
        client_id=credentials["client_id"],
        client_secret=credentials["client_secret"],
        grant_token=credentials["grant_code"],
        find_user=False,
    )
    config = SDKConfig(auto_refresh_fields=True, pick_list_validation=False)
    store = FileStore(f"{folder}/tokens.csv")
    Initializer.initialize(
        environment=environment, token=token, store=store, sdk_config=config, resource_path=folder
    )


def parameters(**values):
    pairs = ParameterMap()
    for parameter, value in values.values():
        pairs.add(parameter, value)
    return pairs


def succeeded(response, expected):
    assert response is not None, "no response"
    assert response.get_status_code() == expected, f"status {response.get_status_code()}: {described(response)}"
    handler = response.get_object()
    assert type(handler).__name__ != "APIException", described(response)
    return handler


def described(response):
    handler = response.get_object()
    if type(handler).__name__ == "APIException":
        return f"{handler.get_code()} {handler.get_message()} {handler.get_details()}"
    return repr(handler)


def items(handler):
    found = handler.get_data()
    for item in found:
        assert type(item).__name__ == "SuccessResponse", f"{item.get_code()} {item.get_details()}"
    return found


def record(values):
    made = Record()
    for name, value in values.items():
        made.add_key_value(name, value)
    return made


def body(*records, check=None):
    request = BodyWrapper()
    request.set_data([record(values) for values in records])
    if check:
        request.set_duplicate_check_fields(check)
    return request


def lookup(id):
    found = Record()
    found.set_id(int(id))
    return found


def run(base):
    connect(base)
    grades = RecordOperations("BTEC_Grades")
    students = RecordOperations("BTEC_Students")
    registrations = RecordOperations("BTEC_Registrations")
    known = {}

    @step("organisation")
    def _():
        org = succeeded(OrgOperations().get_organization(), 200)
        return org.get_org()[0].get_zgid()

    @step("modules")
    def _():
        found = succeeded(ModulesOperations().get_modules(), 200).get_modules()
        names = [module.get_api_name() for module in found]
        assert {"BTEC_Students", "BTEC_Enrollments", "Products"} <= set(names), names
        return f"{len(names)} modules"

    @step("one module")
    def _():
        found = succeeded(ModulesOperations().get_module_by_api_name("BTEC_Students"), 200)
        return found.get_modules()[0].get_generated_type().get_value()

    @step("fields")
    def _():
        wanted = parameters(module=(GetFieldsParam.module, "BTEC_Students"))
        found = succeeded(FieldsOperations().get_fields(wanted), 200).get_fields()
        assert len(found) == 258, len(found)
        return f"{len(found)} fields"

    @step("list")
    def _():
        wanted = parameters(
            fields=(GetRecordsParam.fields, "Name,Last_Name,Academic_Email,Program,Modified_Time"),
            per_page=(GetRecordsParam.per_page, 10),
        )
        handler = succeeded(students.get_records(wanted, HeaderMap()), 200)
        assert len(handler.get_data()) == 10 and handler.get_info().get_more_records()
        assert isinstance(handler.get_data()[0].get_modified_time(), datetime.datetime)
        known["student"] = handler.get_data()[0].get_id()
        return f"{handler.get_data()[0].get_key_value('Academic_Email')} and 9 more"

    @step("read one")
    def _():
        found = succeeded(students.get_record(known["student"]), 200).get_data()[0]
        return f"{found.get_key_value('Name')} of {found.get_key_value('Program').get_key_value('name')}"

    @step("read one with a sub-form")
    def _():
        wanted = parameters(fields=(GetRecordsParam.fields, "Name"), per_page=(GetRecordsParam.per_page, 1))
        first = succeeded(registrations.get_records(wanted, HeaderMap()), 200).get_data()[0]
        rows = succeeded(registrations.get_record(first.get_id()), 200).get_data()[0].get_key_value("Payment_Schedule")
        assert len(rows) == 3, rows
        return f"{rows[0].get_key_value('Due_Date')}, {rows[0].get_key_value('Installment_Amount')}"

    @step("insert")
    def _():
        values = {
            KEY: "91_92_93",
            "Student": lookup(known["student"]),
            "Grade": Choice("M"),
            "Attempt_Number": 1,
            "Attempt_Date": datetime.date(2026, 2, 16),
            "Feedback": "Gut gemacht, ممتاز",
        }
        done = items(succeeded(grades.create_records(body(values)), 201))[0]
        known["grade"] = int(done.get_details()["id"])
        return done.get_message().get_value()

    @step("update")
    def _():
        done = items(succeeded(grades.update_record(known["grade"], body({"Grade": Choice("D")})), 200))[0]
        return done.get_message().get_value()

    @step("upsert an existing record")
    def _():
        request = body({KEY: "91_92_93", "Grade": Choice("P")}, check=[KEY])
        done = items(succeeded(grades.upsert_records(request), 200))[0]
        assert done.get_action().get_value() == "update" and int(done.get_details()["id"]) == known["grade"]
        return done.get_duplicate_field()

    @step("upsert a new record")
    def _():
        request = body({KEY: "91_92_94", "Grade": Choice("P")}, check=[KEY])
        done = items(succeeded(grades.upsert_records(request), 200))[0]
        assert done.get_action().get_value() == "insert"
        known["second"] = done.get_details()["id"]
        return done.get_duplicate_field()

    @step("an insert that is refused")
    def _():
        handler = succeeded(grades.create_records(body({KEY: "91_92_93"})), 400)
        refused = handler.get_data()[0]
        assert refused.get_code().get_value() == "DUPLICATE_DATA", refused.get_code().get_value()
        return refused.get_details()["api_name"]

    @step("search")
    def _():
        wanted = parameters(criteria=(SearchRecordsParam.criteria, f"({KEY}:equals:91_92_93)"))
        found = succeeded(grades.search_records(wanted, HeaderMap()), 200).get_data()
        assert [hit.get_id() for hit in found] == [known["grade"]]
        return f"{len(found)} hit"

    @step("count")
    def _():
        wanted = parameters(criteria=(RecordCountParam.criteria, f"({KEY}:starts_with:91_)"))
        return succeeded(grades.record_count(wanted), 200).get_count()

    @step("delete")
    def _():
        wanted = parameters(ids=(DeleteRecordsParam.ids, f"{known['grade']},{known['second']}"))
        return len(items(succeeded(grades.delete_records(wanted), 200)))

    @step("deleted records")
    def _():
        wanted = parameters(type=(GetDeletedRecordsParam.type, "all"))
        found = succeeded(grades.get_deleted_records(wanted, HeaderMap()), 200).get_data()
        assert str(found[0].get_id()) == str(known["second"]), found[0].get_id()
        return f"{len(found)}, {found[0].get_type()}"

    @step("a record that is gone")
    def _():
        assert grades.get_record(known["grade"]).get_status_code() == 204
        return "204"

    watch_steps()


def watch_steps():
    operations = NotificationsOperations()

    def channel():
        entry = Notification()
        entry.set_channel_id("10001")
        entry.set_events(["BTEC_Students.all", "BTEC_Classes.edit"])
        entry.set_notify_url("http://127.0.0.1:9/hook")
        entry.set_token("echoed")
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=6)
        entry.set_channel_expiry(until.replace(microsecond=0))
        request = Watch()
        request.set_watch([entry])
        return request

    @step("enable notifications")
    def _():
        done = succeeded(operations.enable_notifications(channel()), 201).get_watch()[0]
        events = done.get_details()["events"]
        assert len(events) == 2, events
        return done.get_message().get_value()

    @step("list notifications")
    def _():
        wanted = parameters(channel_id=(GetNotificationsParam.channel_id, 10001))
        found = succeeded(operations.get_notifications(wanted), 200).get_watch()
        assert {entry.get_resource_name() for entry in found} == {"BTEC_Students", "BTEC_Classes"}
        return f"until {found[0].get_channel_expiry()}"

    @step("update notifications")
    def _():
        return succeeded(operations.update_notifications(channel()), 200).get_watch()[0].get_message().get_value()

    @step("delete notifications")
    def _():
        wanted = parameters(ids=(DeleteNotificationParam.channel_ids, "10001"))
        return succeeded(operations.delete_notification(wanted), 200).get_watch()[0].get_message().get_value()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    run(sys.argv[1].rstrip("/"))
    print(f"{len(failures)} failed" if failures else "all passed")
    sys.exit(1 if failures else 0)
